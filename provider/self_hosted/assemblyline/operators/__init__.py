"""What a DAG does with Assemblyline, one file per subject; imported when a DAG takes something of it."""

from typing import TYPE_CHECKING

from self_hosted.core.lazy import published_by

if TYPE_CHECKING:
    from self_hosted.assemblyline.operators.alerts import (
        AssemblylineUpdateAlertOperator as AssemblylineUpdateAlertOperator,
        AssemblylineUpdateAlertsOperator as AssemblylineUpdateAlertsOperator,
    )
    from self_hosted.assemblyline.operators.archive import AssemblylineArchiveOperator as AssemblylineArchiveOperator
    from self_hosted.assemblyline.operators.branch import (
        AssemblylineVerdictBranchOperator as AssemblylineVerdictBranchOperator,
    )
    from self_hosted.assemblyline.operators.bundles import (
        AssemblylineExportBundleOperator as AssemblylineExportBundleOperator,
        AssemblylineImportBundleOperator as AssemblylineImportBundleOperator,
    )
    from self_hosted.assemblyline.operators.call_api import AssemblylineApiOperator as AssemblylineApiOperator
    from self_hosted.assemblyline.operators.download import (
        AssemblylineDownloadFileOperator as AssemblylineDownloadFileOperator,
    )
    from self_hosted.assemblyline.operators.hash_lookup import (
        AssemblylineHashLookupOperator as AssemblylineHashLookupOperator,
    )
    from self_hosted.assemblyline.operators.link import AssemblylineLink as AssemblylineLink
    from self_hosted.assemblyline.operators.lists import (
        AssemblylineAddToListOperator as AssemblylineAddToListOperator,
        AssemblylineEnableListEntryOperator as AssemblylineEnableListEntryOperator,
        AssemblylineRemoveFromListOperator as AssemblylineRemoveFromListOperator,
    )
    from self_hosted.assemblyline.operators.report import AssemblylineReportOperator as AssemblylineReportOperator
    from self_hosted.assemblyline.operators.retrohunt import (
        AssemblylineRetrohuntOperator as AssemblylineRetrohuntOperator,
    )
    from self_hosted.assemblyline.operators.search import AssemblylineSearchOperator as AssemblylineSearchOperator
    from self_hosted.assemblyline.operators.submissions import (
        AssemblylineDeleteSubmissionOperator as AssemblylineDeleteSubmissionOperator,
        AssemblylineSetVerdictOperator as AssemblylineSetVerdictOperator,
    )
    from self_hosted.assemblyline.operators.submit_file import (
        AssemblylineSubmitFileOperator as AssemblylineSubmitFileOperator,
    )
    from self_hosted.assemblyline.operators.submit_files import (
        AssemblylineIngestFilesOperator as AssemblylineIngestFilesOperator,
        AssemblylineSubmitFilesOperator as AssemblylineSubmitFilesOperator,
    )
    from self_hosted.assemblyline.operators.submit_known import (
        AssemblylineResubmitOperator as AssemblylineResubmitOperator,
        AssemblylineSubmitHashOperator as AssemblylineSubmitHashOperator,
        AssemblylineSubmitUrlOperator as AssemblylineSubmitUrlOperator,
    )
else:
    __getattr__, __dir__ = published_by(
        __name__,
        {
            "alerts": (
                "AssemblylineUpdateAlertOperator",
                "AssemblylineUpdateAlertsOperator",
            ),
            "archive": ("AssemblylineArchiveOperator",),
            "branch": ("AssemblylineVerdictBranchOperator",),
            "bundles": (
                "AssemblylineExportBundleOperator",
                "AssemblylineImportBundleOperator",
            ),
            "call_api": ("AssemblylineApiOperator",),
            "download": ("AssemblylineDownloadFileOperator",),
            "hash_lookup": ("AssemblylineHashLookupOperator",),
            "link": ("AssemblylineLink",),
            "lists": (
                "AssemblylineAddToListOperator",
                "AssemblylineEnableListEntryOperator",
                "AssemblylineRemoveFromListOperator",
            ),
            "report": ("AssemblylineReportOperator",),
            "retrohunt": ("AssemblylineRetrohuntOperator",),
            "search": ("AssemblylineSearchOperator",),
            "submissions": (
                "AssemblylineDeleteSubmissionOperator",
                "AssemblylineSetVerdictOperator",
            ),
            "submit_file": ("AssemblylineSubmitFileOperator",),
            "submit_files": (
                "AssemblylineIngestFilesOperator",
                "AssemblylineSubmitFilesOperator",
            ),
            "submit_known": (
                "AssemblylineResubmitOperator",
                "AssemblylineSubmitHashOperator",
                "AssemblylineSubmitUrlOperator",
            ),
        },
    )
