from .base import RudderLink as RudderLink, RudderOperator as RudderOperator
from .rules import RudderUpdateRuleOperator as RudderUpdateRuleOperator
