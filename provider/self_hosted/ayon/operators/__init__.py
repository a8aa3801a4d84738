"""The operators of AYON, one file per subject; a file is imported when a DAG uses one of its operators."""

from self_hosted.core.imports import lazy_exports

__getattr__, __dir__ = lazy_exports(__name__, __file__)
