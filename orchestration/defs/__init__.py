"""One folder a stage of the way: landing, warehouse, quality, publish."""
