"""Run work in the background, at least once: written in the transaction of its cause, run by any worker after it."""
