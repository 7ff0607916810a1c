"""The catalogue in the files other programs read. Rules without the ORM; `pricing.answers.exports` feeds them."""
