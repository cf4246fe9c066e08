"""Owners' files are parsed in a process of their own, which may die without harm: `python -I -m ingest.child`.

The parent (`process`) starts it with an empty environment, asks over a pipe (`protocol`) and ends it. The child first
gives up what it does not need (`confinement`), then reads (`by_*`) and judges every geometry (`geometry`) before a
native library of ours meets it.
"""
