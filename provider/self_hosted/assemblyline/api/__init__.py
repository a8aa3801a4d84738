"""What can be asked of Assemblyline 4, as flows by subject; no I/O and no Airflow."""

from self_hosted.assemblyline.api.account import (
    configuration as configuration,
    quotas as quotas,
    submission_profile as submission_profile,
    whoami as whoami,
)
from self_hosted.assemblyline.api.alert_batches import check_reach as check_reach, update_alerts as update_alerts
from self_hosted.assemblyline.api.alert_changes import AlertChanges as AlertChanges
from self_hosted.assemblyline.api.alert_updates import (
    add_alert_labels as add_alert_labels,
    remove_alert_labels as remove_alert_labels,
    set_alert_priority as set_alert_priority,
    set_alert_status as set_alert_status,
    set_alert_verdict as set_alert_verdict,
    take_alert as take_alert,
    update_alert as update_alert,
)
from self_hosted.assemblyline.api.alerts import (
    AlertQuery as AlertQuery,
    alert as alert,
    alert_count as alert_count,
    alert_counts as alert_counts,
    alert_statistics as alert_statistics,
    alerts as alerts,
    alerts_url as alerts_url,
    grouped_alerts as grouped_alerts,
    related_alerts as related_alerts,
)
from self_hosted.assemblyline.api.archives import archive_submission as archive_submission
from self_hosted.assemblyline.api.bundles import export_bundle as export_bundle, import_bundle as import_bundle
from self_hosted.assemblyline.api.cart import ENOUGH as ENOUGH, bundle_sid as bundle_sid, cart_header as cart_header
from self_hosted.assemblyline.api.checks import check_params as check_params, size_limit as size_limit
from self_hosted.assemblyline.api.counting import (
    search_facet as search_facet,
    search_fields as search_fields,
    search_grouped as search_grouped,
    search_histogram as search_histogram,
    search_stats as search_stats,
)
from self_hosted.assemblyline.api.deleting import delete_submissions as delete_submissions
from self_hosted.assemblyline.api.digest import (
    completed_submission as completed_submission,
    submission_digest as submission_digest,
)
from self_hosted.assemblyline.api.downloads import (
    ENCODINGS as ENCODINGS,
    check_download as check_download,
    download_file as download_file,
)
from self_hosted.assemblyline.api.envelope import API as API, asked as asked, error_of as error_of
from self_hosted.assemblyline.api.feeds import (
    alert_url as alert_url,
    check_watched as check_watched,
    completed_submissions as completed_submissions,
    newest_alert as newest_alert,
    newest_submission as newest_submission,
    raised_alerts as raised_alerts,
)
from self_hosted.assemblyline.api.files import (
    checked_sha256 as checked_sha256,
    file_ascii as file_ascii,
    file_children as file_children,
    file_hex as file_hex,
    file_info as file_info,
    file_results as file_results,
    file_results_of_service as file_results_of_service,
    file_score as file_score,
    file_strings as file_strings,
    file_url as file_url,
    purge_file as purge_file,
)
from self_hosted.assemblyline.api.hashes import hash_search as hash_search, list_data_sources as list_data_sources
from self_hosted.assemblyline.api.heuristics import heuristic as heuristic, heuristic_stats as heuristic_stats
from self_hosted.assemblyline.api.ingesting import (
    ingest as ingest,
    ingest_in_turn as ingest_in_turn,
    ingest_once as ingest_once,
)
from self_hosted.assemblyline.api.ingests import (
    ingest_key as ingest_key,
    ingest_parts as ingest_parts,
    ingested_submissions as ingested_submissions,
    reused_submissions as reused_submissions,
)
from self_hosted.assemblyline.api.list_changes import (
    attribute_in_badlist as attribute_in_badlist,
    classify_in_list as classify_in_list,
    enable_in_list as enable_in_list,
    expire_in_list as expire_in_list,
    remove_source_from_list as remove_source_from_list,
    similar_in_badlist as similar_in_badlist,
)
from self_hosted.assemblyline.api.list_entries import (
    LISTS as LISTS,
    check_list as check_list,
    checked_entry as checked_entry,
    entry_id as entry_id,
    file_entry as file_entry,
    signature_entry as signature_entry,
    tag_entry as tag_entry,
)
from self_hosted.assemblyline.api.listing import (
    add_many_to_list as add_many_to_list,
    add_to_list as add_to_list,
    own_source as own_source,
    remove_from_list as remove_from_list,
)
from self_hosted.assemblyline.api.lists import (
    list_entries as list_entries,
    list_entry as list_entry,
    list_page as list_page,
)
from self_hosted.assemblyline.api.messages import take_message as take_message, take_messages as take_messages
from self_hosted.assemblyline.api.ontology import (
    alert_ontology as alert_ontology,
    file_ontology as file_ontology,
    submission_ontology as submission_ontology,
)
from self_hosted.assemblyline.api.queues import (
    DISPATCHER as DISPATCHER,
    INGESTER as INGESTER,
    is_taken_up as is_taken_up,
    paused_components as paused_components,
    quiet_key as quiet_key,
    quiet_parts as quiet_parts,
    running_submissions as running_submissions,
)
from self_hosted.assemblyline.api.reports import (
    full_submission as full_submission,
    group_submissions as group_submissions,
    submission_file as submission_file,
    submission_report as submission_report,
    submission_summary as submission_summary,
    submission_tree as submission_tree,
    user_submissions as user_submissions,
)
from self_hosted.assemblyline.api.reputation import (
    check_age as check_age,
    finding_url as finding_url,
    look_up_hashes as look_up_hashes,
)
from self_hosted.assemblyline.api.resubmitting import (
    copied_options as copied_options,
    for_dynamic_analysis as for_dynamic_analysis,
    resubmit as resubmit,
    resubmit_for_dynamic as resubmit_for_dynamic,
    resubmit_with_profile as resubmit_with_profile,
)
from self_hosted.assemblyline.api.results import (
    ResultKey as ResultKey,
    result_key as result_key,
    service_error as service_error,
    service_result as service_result,
    service_results as service_results,
)
from self_hosted.assemblyline.api.retrohunting import (
    check_retrohunt as check_retrohunt,
    repeat_retrohunt as repeat_retrohunt,
    start_retrohunt as start_retrohunt,
    start_retrohunt_once as start_retrohunt_once,
    tagged_retrohunt as tagged_retrohunt,
)
from self_hosted.assemblyline.api.retrohunts import (
    MOST_HITS as MOST_HITS,
    retrohunt as retrohunt,
    retrohunt_errors as retrohunt_errors,
    retrohunt_hits as retrohunt_hits,
    retrohunt_page as retrohunt_page,
    retrohunt_types as retrohunt_types,
    retrohunts as retrohunts,
    search_retrohunts as search_retrohunts,
)
from self_hosted.assemblyline.api.search_checks import INDEXES as INDEXES
from self_hosted.assemblyline.api.searching import (
    PAGE as PAGE,
    any_of as any_of,
    phrase as phrase,
    search as search,
    search_all as search_all,
    search_page as search_page,
    search_result as search_result,
    search_url as search_url,
)
from self_hosted.assemblyline.api.server import (
    classification_definition as classification_definition,
    component_status as component_status,
    constants as constants,
    terms_of_service as terms_of_service,
)
from self_hosted.assemblyline.api.services import (
    change_service as change_service,
    service as service,
    service_constants as service_constants,
    service_updates as service_updates,
    service_versions as service_versions,
    services as services,
    update_service as update_service,
)
from self_hosted.assemblyline.api.settings import (
    change_user_settings as change_user_settings,
    user_settings as user_settings,
)
from self_hosted.assemblyline.api.signatures import (
    change_signature_status as change_signature_status,
    download_signatures as download_signatures,
    enable_signature_source as enable_signature_source,
    search_signatures as search_signatures,
    signature as signature,
    signature_sources as signature_sources,
    signature_stats as signature_stats,
    update_signature_sources as update_signature_sources,
)
from self_hosted.assemblyline.api.sources import checked_source as checked_source, hash_source as hash_source
from self_hosted.assemblyline.api.submissions import (
    cancel_submission as cancel_submission,
    delete_submission as delete_submission,
    is_completed as is_completed,
    is_ghost as is_ghost,
    search_submissions as search_submissions,
    submission as submission,
    submission_if_any as submission_if_any,
    submission_url as submission_url,
    submissions as submissions,
)
from self_hosted.assemblyline.api.submitting import (
    quota_told as quota_told,
    submit as submit,
    submit_in_turn as submit_in_turn,
    submit_once as submit_once,
)
from self_hosted.assemblyline.api.tagging import (
    LOOKS as LOOKS,
    TAG as TAG,
    end_all_duplicates as end_all_duplicates,
    end_duplicates as end_duplicates,
    submissions_by_tag as submissions_by_tag,
    tagged_submission as tagged_submission,
    tagged_submissions as tagged_submissions,
)
from self_hosted.assemblyline.api.user_verdicts import check_verdict as check_verdict, set_verdict as set_verdict
from self_hosted.assemblyline.api.verdicts import (
    VERDICTS as VERDICTS,
    check_limits as check_limits,
    judged as judged,
    reached as reached,
    verdict_bands as verdict_bands,
    verdict_of as verdict_of,
)
from self_hosted.assemblyline.api.workflows import (
    add_workflow as add_workflow,
    delete_workflow as delete_workflow,
    edit_workflow as edit_workflow,
    enable_workflow as enable_workflow,
    run_workflow as run_workflow,
    search_workflows as search_workflows,
    workflow as workflow,
    workflow_labels as workflow_labels,
)
