"""Everything that Dagster needs: assets, checks, jobs, sensors, resources. Nothing below imports Dagster."""
