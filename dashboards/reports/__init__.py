"""The weekly report: read with its reader's rights, composed as plain data, rendered as HTML, text and a picture.

`reading` reads, `composing` makes the `Report`, `html`, `text` and `picture` render it; `subscriptions` says who gets
one when, and `mailing` gives it to `dashboards.outbox`.
"""
