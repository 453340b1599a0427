"""The daemon's HTTP side: the hooks, the control API, the event stream, the probes."""
