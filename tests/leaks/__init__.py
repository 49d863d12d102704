"""No path of the API tells what a policy denies or masks.

Two worlds hold the same rows, but for what one role may not see: there every value is another one, and of a masked
value what the mask shows is the same. Whatever the role asks, the worlds must answer with equal bytes. What differs is
a leak; and with each guard broken, one at a time, some answers must differ, or the check would check nothing.

Shared by both worlds, because the hub derives them from values once and shows them by rules of their own: the ids of
rows (from the sources' keys), which parties are one customer, which party's value is the golden one, and to whom rows
belong where the first reference of a customer path is not denied.
"""
