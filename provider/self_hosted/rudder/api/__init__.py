"""What can be asked of Rudder, as flows, one file per subject. No I/O, no Airflow.

Paths are without the prefix and the version of the API (``/rules``); `TokenAuth` in `hook.py` adds both.
"""

from self_hosted.rudder.api.accounts import current_account as current_account, proven_token as proven_token
from self_hosted.rudder.api.answers import NotOffered as NotOffered, error_of as error_of, unwrapped as unwrapped
from self_hosted.rudder.api.change_requests import (
    CANCELLED as CANCELLED,
    DEPLOYED as DEPLOYED,
    accept_change_request as accept_change_request,
    change_request as change_request,
    change_request_page as change_request_page,
    change_requests as change_requests,
    decline_change_request as decline_change_request,
    decline_duplicates as decline_duplicates,
    own_change_requests as own_change_requests,
)
from self_hosted.rudder.api.compliance import (
    REPORTS_DISABLED as REPORTS_DISABLED,
    Kind as Kind,
    applying as applying,
    compliance as compliance,
    compliance_key as compliance_key,
    compliance_of as compliance_of,
    compliances as compliances,
    reached as reached,
)
from self_hosted.rudder.api.nodes import (
    last_run as last_run,
    moment_of as moment_of,
    node as node,
    node_page as node_page,
    nodes as nodes,
    pending_nodes as pending_nodes,
    run_key as run_key,
    run_of as run_of,
)
from self_hosted.rudder.api.rules import (
    DISABLED as DISABLED,
    STATUSES as STATUSES,
    rule as rule,
    rule_page as rule_page,
    rules as rules,
    status_key as status_key,
    status_of as status_of,
    update_rule as update_rule,
)
from self_hosted.rudder.api.targets import normalised as normalised
