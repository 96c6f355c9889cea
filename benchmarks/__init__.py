"""Side-by-side measurements; not tests. Run them with `hatch run bench`."""
