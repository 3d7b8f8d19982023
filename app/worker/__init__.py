"""Give each type of job its handler. `app/main.py` and `mik worker` run them; `mik admin sweep` runs what falls due."""
