"""All planned works against all lines of a region or a nation, partition by partition, on one machine or many.

Each partition gives what `conflicts.detect` gives for its works, so that a batch is nothing but many single answers. Dask
carries partitions to workers (decision 36) and is imported by `engine` alone.
"""
