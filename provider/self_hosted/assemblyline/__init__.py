"""Assemblyline 4: malware analysis of files and URLs. Tested against 4.7.4.

https://cybercentrecanada.github.io/assemblyline4_docs/
"""
