"""Measurements of Ratecard beside yardsticks that do the same work on the same machine in the same run.

`python -m benchmarks` runs them all; docs/benchmarks.md says what each measures and how to read it. Everything
happens in a data folder of the run's own, which is removed at the end: an instance's data is never touched.
"""
