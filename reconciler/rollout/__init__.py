"""From a plan, the time and the stations' answers to the next commands: pure, so that every order can be tried."""
