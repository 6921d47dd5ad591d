"""Guardrails: what is proved of a revision before anything is sent, and of one revision that follows another.

Called by the controller for each new commit, and by `validate` and `plan`. Each guardrail is a row of `table`; what a
fleet has made of it stands in its manifest (`manifests.guardrails`).
"""
