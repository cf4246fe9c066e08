"""Digging windows: which planned works to dig together, when, in which order, and what that saves.

Works that lie near each other and may be done at the same time make a graph; each of its components is planned by itself
(`plan`). In a window one work is the *pilot*, the one that opens most of the road; the others *join* it, each saving its part
of the pilot's trench, an opening, and the days on which both take the road. That counts no saving twice and leaves out what
two joiners save between themselves: what is stated is at least saved.
"""
