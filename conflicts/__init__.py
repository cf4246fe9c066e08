"""What lies in the way: matching an area with the networks."""
