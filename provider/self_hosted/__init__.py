"""One Airflow provider for four products that companies host themselves: Assemblyline, AYON, Rudder and AtroCore."""

__version__ = "0.1.0"
