"""The indexes of the real server: required roles, default sort orders, ids and fields."""

from __future__ import annotations

INDEX_ROLES = {
    "alert": "alert_view",
    "badlist": "badlist_view",
    "file": "submission_view",
    "heuristic": "heuristic_view",
    "result": "submission_view",
    "retrohunt": "retrohunt_view",
    "safelist": "safelist_view",
    "signature": "signature_view",
    "submission": "submission_view",
    "workflow": "workflow_view",
}
"""The role for each index. All other indexes require ``administration``."""

DEFAULT_SORT = {
    "alert": "reporting_ts desc",
    "badlist": "added desc",
    "emptyresult": "expiry_ts asc",
    "error": "created desc",
    "file": "seen.last desc",
    "heuristic": "heur_id asc",
    "result": "created desc",
    "retrohunt": "created_time desc",
    "safelist": "added desc",
    "signature": "type asc",
    "submission": "times.submitted desc",
    "user": "id asc",
    "workflow": "last_seen desc",
}
"""The default sort order of each index. An index without one supports facets, but not searches."""

ID_FIELDS = {
    "alert": "alert_id",
    "file": "sha256",
    "heuristic": "heur_id",
    "signature": "signature_id",
    "submission": "sid",
    "workflow": "workflow_id",
}
"""The field that contains the id of a document, if it is not ``id``."""

# by index and type; suffixes: * is a list, + is stored, ~ is searched by terms without a field
FIELDS: dict[str, dict[str, str]] = {
    "alert": {
        "keyword": (
            "al.attrib*+~ al.av*+~ al.behavior*~ al.detailed.attack_category.subtype* "
            "al.detailed.attack_category.type* al.detailed.attack_category.value* "
            "al.detailed.attack_category.verdict* al.detailed.attack_pattern.subtype* "
            "al.detailed.attack_pattern.type* al.detailed.attack_pattern.value* "
            "al.detailed.attack_pattern.verdict* al.detailed.attrib.subtype* al.detailed.attrib.type* "
            "al.detailed.attrib.value* al.detailed.attrib.verdict* al.detailed.av.subtype* "
            "al.detailed.av.type* al.detailed.av.value* al.detailed.av.verdict* al.detailed.behavior.subtype* "
            "al.detailed.behavior.type* al.detailed.behavior.value* al.detailed.behavior.verdict* "
            "al.detailed.domain.subtype* al.detailed.domain.type* al.detailed.domain.value* "
            "al.detailed.domain.verdict* al.detailed.heuristic.subtype* al.detailed.heuristic.type* "
            "al.detailed.heuristic.value* al.detailed.heuristic.verdict* al.detailed.ip.subtype* "
            "al.detailed.ip.type* al.detailed.ip.value* al.detailed.ip.verdict* al.detailed.uri.subtype* "
            "al.detailed.uri.type* al.detailed.uri.value* al.detailed.uri.verdict* al.detailed.yara.subtype* "
            "al.detailed.yara.type* al.detailed.yara.value* al.detailed.yara.verdict* al.domain*~ "
            "al.domain_dynamic* al.domain_static* al.uri*~ al.uri_dynamic* al.uri_static* al.yara*~ "
            "alert_id+~ attack.category* attack.pattern* classification+ events.entity_id* "
            "events.entity_name* events.entity_type* events.labels* events.labels_removed* events.priority* "
            "events.status* extended_scan+ file.md5+~ file.name+~ file.screenshots.description* "
            "file.screenshots.img* file.screenshots.name* file.screenshots.thumb* file.sha1+~ file.sha256+~ "
            "file.type+~ heuristic.name* id~ label*+~ owner+ priority+ sid+ status+ "
            "submission_relations.child*+ submission_relations.parent*+ type+ verdict.malicious* "
            "verdict.non_malicious*"
        ),
        "ip": "al.ip*~ al.ip_dynamic* al.ip_static*",
        "date": "al.request_end_time archive_ts+ events.ts* expiry_ts reporting_ts+ ts+",
        "integer": "al.score+",
        "long": "file.size",
        "boolean": "filtered+ workflows_completed+",
    },
    "badlist": {
        "date": "added+ expiry_ts+ updated+",
        "keyword": (
            "attribution.actor*~ attribution.campaign*~ attribution.category*~ attribution.exploit*~ "
            "attribution.family*~ attribution.implant*~ attribution.network*~ classification+ file.name*+~ "
            "file.type hashes.md5+~ hashes.sha1+~ hashes.sha256+~ hashes.ssdeep+~ hashes.tlsh+~ id~ "
            "sources.classification* sources.name*+ sources.reason* sources.type* tag.type+ tag.value+~ type+"
        ),
        "boolean": "enabled+",
        "long": "file.size",
    },
    "file": {
        "date": "archive_ts+ comments.date*+ expiry_ts seen.first+ seen.last+",
        "keyword": (
            "ascii classification+ comments.cid* comments.reactions.icon* comments.reactions.uname* "
            "comments.uname* hex id~ label_categories.attribution*+ label_categories.info*+ "
            "label_categories.technique*+ labels*+~ magic md5+~ mime sha1+~ sha256+~ ssdeep tlsh+~ type+~ "
            "uri_info.fragment+ uri_info.hostname+ uri_info.netloc+ uri_info.params+ uri_info.password+ "
            "uri_info.path+ uri_info.query+ uri_info.scheme+ uri_info.uri+ uri_info.username+"
        ),
        "text": "comments.text*",
        "float": "entropy+",
        "boolean": "from_archive is_section_image+ is_supplementary+",
        "integer": "seen.count+ uri_info.port+",
        "long": "size+",
    },
    "heuristic": {
        "keyword": "attack_id*+~ classification+ filetype+~ heur_id+~ id~ name+~",
        "text": "description+~",
        "integer": (
            "max_score+ score+ signature_score_map.key_a signature_score_map.key_b signature_score_map.key_c "
            "signature_score_map.key_d signature_score_map.key_e stats.avg+ stats.count+ stats.max+ "
            "stats.min+ stats.sum+"
        ),
        "date": "stats.first_hit+ stats.last_hit+",
    },
    "result": {
        "date": (
            "archive_ts+ created+ expiry_ts response.milestones.service_completed response.milestones.service_started"
        ),
        "keyword": (
            "classification+ id~ response.extracted.classification* response.extracted.name*~ "
            "response.extracted.sha256*~ response.service_context response.service_debug_info "
            "response.service_name+~ response.service_tool_version+~ response.service_version "
            "response.supplementary.classification* response.supplementary.name*~ "
            "response.supplementary.sha256*~ result.sections.body_format* result.sections.classification* "
            "result.sections.heuristic.attack.attack_id*~ result.sections.heuristic.attack.categories* "
            "result.sections.heuristic.attack.pattern*~ result.sections.heuristic.heur_id*~ "
            "result.sections.heuristic.name*~ result.sections.heuristic.signature.name*~ "
            "result.sections.promote_to* sha256 type+"
        ),
        "boolean": (
            "drop_file+ from_archive+ partial+ response.extracted.allow_dynamic_recursion* "
            "response.extracted.is_section_image* response.supplementary.allow_dynamic_recursion* "
            "response.supplementary.is_section_image* result.sections.auto_collapse* "
            "result.sections.heuristic.signature.safe*"
        ),
        "text": (
            "response.extracted.description*~ response.extracted.parent_relation* "
            "response.supplementary.description*~ response.supplementary.parent_relation* "
            "result.sections.body*~ result.sections.title_text*~"
        ),
        "integer": (
            "result.score+ result.sections.depth* result.sections.heuristic.score* "
            "result.sections.heuristic.signature.frequency* size+"
        ),
        "object": "result.sections.body_config*",
    },
    "retrohunt": {
        "keyword": (
            "classification+ creator+~ errors* id~ indices+ key+ raw_query search_classification+ warnings* "
            "yara_signature~"
        ),
        "date": "completed_time created_time+ expiry_ts started_time+",
        "text": "description+~",
        "long": "end_group+ start_group+",
        "boolean": "finished+ truncated+",
    },
    "safelist": {
        "date": "added+ expiry_ts+ updated+",
        "keyword": (
            "classification+ file.name*+~ file.type hashes.md5+~ hashes.sha1+~ hashes.sha256+~ id~ "
            "signature.name+~ sources.classification* sources.name*+ sources.reason* sources.type* tag.type+ "
            "tag.value+~ type+"
        ),
        "boolean": "enabled+",
        "long": "file.size",
    },
    "signature": {
        "keyword": "classification+ id~ name+~ revision+ signature_id+ source+ state_change_user status+~ type+~",
        "text": "data~",
        "date": "last_modified+ state_change_date stats.first_hit+ stats.last_hit+",
        "integer": "order stats.avg+ stats.count+ stats.max+ stats.min+ stats.sum+",
    },
    "submission": {
        "date": "archive_ts+ expiry_ts times.completed times.submitted+ tracing_events.timestamp*",
        "boolean": (
            "archived+ from_archive+ params.auto_archive params.deep_scan params.delete_after_archive "
            "params.generate_alert params.ignore_cache params.ignore_filtering "
            "params.ignore_recursion_prevention params.ignore_size params.malicious params.never_drop "
            "params.quota_item params.trace params.use_archive_alternate_dtl to_be_deleted+"
        ),
        "keyword": (
            "classification+ errors* files.name*~ files.sha256*~ id~ params.classification "
            "params.filetype_override params.groups* params.psid params.services.excluded* "
            "params.services.rescan* params.services.resubmit* params.services.selected* params.submitter+~ "
            "params.type scan_key sid+~ state+ tracing_events.event_type* tracing_events.file* "
            "tracing_events.message* tracing_events.service* verdict.malicious* verdict.non_malicious*"
        ),
        "integer": (
            "error_count+ file_count+ max_score+ params.max_extracted params.max_supplementary "
            "params.priority params.ttl"
        ),
        "long": "files.size*",
        "text": "params.description+~ params.initial_data",
        "wildcard": "results*",
    },
    "workflow": {
        "keyword": (
            "classification+~ creator+ edited_by+ id~ labels*+~ name+~ origin+ priority+~ query+ status+~ workflow_id+"
        ),
        "date": "creation_date+ first_seen+ last_edit+ last_seen+",
        "boolean": "enabled+",
        "integer": "hit_count+",
    },
}
