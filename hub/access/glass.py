"""Break-glass: what a request sees that names a glass which its requester broke before.

A role may be given categories that its people may *open* for themselves in an emergency, for one customer, for some
minutes, with a reason. A request that names the glass (the header `X-Break-Glass`) is then answered as a whole so:

- Only that customer is reached: rows of all others do not exist, for whatever the request asks. Rows that belong to no
  customer, such as products, are seen as ever. Rows whose owner the requester may not know do not exist either, as
  with but one customer there is no doubt whose they are.
- What was opened is allowed of the customer: whole, whatever mask or row scope the grants set, and whether or not they
  agreed to the purpose. In an emergency there is nobody to ask, and who looks answers for it afterwards.
- All else of the customer is shown as the grants decide, in their row scopes, and where the purpose needs a consent,
  with it.
- A deny of the policy stays one. A special category is opened only where it is named, to be opened and in the role's
  `break_glass`, and where a grant allows it to the role for the purpose: then its row scope alone is lifted.
- A customer who restricted the use of their data (GDPR Art. 18) or objected to the purpose (Art. 21) stays out of
  reach of the purposes that these bar: an emergency of ours does not overrule their word.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from hub.access.matrix import AccessMap, Decision, is_forbidden
from hub.access.policy import Effect
from hub.access.requester import Asking, Glass, PlanAccess, plan_access
from hub.access.scope import SUBJECT, scoped
from hub.errors import AccessDeniedError


def glass_access(access: AccessMap, asks: Asking, glass: Glass) -> PlanAccess:
    """The access of who asks while the glass is broken. It names nobody but in `reach`, so equals share plans.

    Raises:
        AccessDeniedError: the policy does not let them open a category of it, or not any more.
    """
    openable = access.openable(asks.roles, asks.purpose)
    if not openable.keys() >= set(glass.categories):
        raise AccessDeniedError("the policy does not let you open all that this break-glass opened")
    opened = access.below(glass.categories).intersection(openable)
    plain = plan_access(access, asks)
    row = {
        name: _opened(plain.decide(name)) if name in opened else plain.decide(name)
        for name in access.categories
    }
    reach = replace(
        plain.reach,
        consent=None,
        unopened=plain.reach.consent,
        attributes=MappingProxyType({**plain.reach.attributes, SUBJECT: (glass.customer,)}),
        only=scoped(SUBJECT),
    )
    key = (*plain.key[:-1], glass.categories)
    return PlanAccess(key, plain.introspection, reach, MappingProxyType(row), glass)


def _opened(base: Decision) -> Decision:
    if is_forbidden(base):
        return base
    return replace(
        base, within=(Decision(Effect.ALLOW, None, "opened by break-glass", SUBJECT), *base.within)
    )
