from .base import RudderLink as RudderLink, RudderOperator as RudderOperator
from .policies import RudderUpdatePoliciesOperator as RudderUpdatePoliciesOperator
from .rules import RudderUpdateRuleOperator as RudderUpdateRuleOperator
