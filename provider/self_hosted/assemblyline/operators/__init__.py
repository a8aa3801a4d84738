"""What a DAG does with Assemblyline."""

from self_hosted.assemblyline.operators.link import AssemblylineLink
from self_hosted.assemblyline.operators.submit_file import AssemblylineSubmitFileOperator

__all__ = ["AssemblylineLink", "AssemblylineSubmitFileOperator"]
