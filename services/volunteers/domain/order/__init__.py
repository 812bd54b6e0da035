"""Service orders (服务订单): three ways of service on one aggregate, and who may do what to it when.

``dispatch`` (派单服务): the community sends it to the best match. ``by_name`` (点名服务): the resident named a
volunteer, and it goes to nobody else. ``activity_day`` (活动日服务): it stands on the list of a fixed day, and any
fitting volunteer takes it.

Invariants
* One volunteer at a time holds an order; nobody is asked twice; a named order goes to the named one only.
* Each offer goes to whoever matches best at that moment, so nobody is asked who has left, has no consent or is full.
* Every order can end: confirmed, unfilled or cancelled.
* What follows a missed promise counts from its time; a provisional time is computed again before it counts as missed.
"""
