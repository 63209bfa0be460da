"""Room: composition. The parts of the service, wired from its settings; the app puts them together."""
