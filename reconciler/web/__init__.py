"""What the controller knows, as people and programs ask for it over HTTP: pure views, and a shell that serves them."""
