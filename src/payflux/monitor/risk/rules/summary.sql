-- The parts of a summary of a table `events` of EVENT_DTYPE's integer columns, in which each (kind, source) is once.
-- $now is in unix seconds; its day of UTC is the last one; $history and $window count whole days, that one among them.
-- Kinds: 1 charge, 6 reserve hold, 7 reserve release; from 8 on no number is made of them. Statuses of a charge: 1 succeeded, 2 failed.
-- Each part is one statement. `known` is a view or table that `groups` and `holds` read.

-- part: known
-- An event without its charge's time, network or method takes them from the first charge of that id.
WITH recent AS (
    SELECT *
    FROM events
    WHERE kind < 8 AND "at" <= $now AND "at" >= CAST($now - $now % 86400 - ($history - 1) * 86400 AS BIGINT)
),
lacking AS (
    SELECT DISTINCT charge FROM recent WHERE kind <> 1 AND charge <> 0 AND (charge_at = 0 OR network = 0)
),
attempts AS (
    SELECT
        recent.charge AS charge, recent."at" AS made_at, recent.network AS network, recent.method AS method,
        row_number() OVER (PARTITION BY recent.charge ORDER BY recent."at", recent.source) AS place
    FROM recent INNER JOIN lacking ON recent.charge = lacking.charge
    WHERE recent.kind = 1
),
firsts AS (
    SELECT charge, made_at, network, method, 1 AS found FROM attempts WHERE place = 1
),
paired AS (
    SELECT
        recent.*,
        CASE WHEN kind <> 1 AND (charge_at = 0 OR recent.network = 0) THEN firsts.found END AS takes,
        firsts.made_at AS first_made_at, firsts.network AS first_network, firsts.method AS first_method
    FROM recent LEFT JOIN firsts ON recent.charge = firsts.charge
)
SELECT
    "at", ends_at, amount, settled, source, charge, card, customer, kind, status, currency, settled_currency, outcome,
    risk_level, three_d_secure, country, reason,
    CASE WHEN takes = 1 AND charge_at = 0 THEN first_made_at ELSE charge_at END AS charge_at,
    CASE WHEN takes = 1 AND network = 0 THEN first_network ELSE network END AS network,
    CASE WHEN takes = 1 AND method = 0 THEN first_method ELSE method END AS method
FROM paired

-- part: groups
WITH days AS (
    SELECT
        CAST(("at" - "at" % 86400) / 86400 AS BIGINT) AS event_day,
        CASE WHEN charge_at > 0 THEN CAST((charge_at - charge_at % 86400) / 86400 AS BIGINT) ELSE 0 END AS other_day,
        kind, status, network, method, outcome, risk_level, three_d_secure, country, reason, settled_currency, settled
    FROM known
),
keyed AS (
    SELECT *, CASE WHEN kind = 1 THEN event_day ELSE other_day END AS charge_day FROM days
)
SELECT
    event_day, charge_day, kind, status, network, method, outcome, risk_level, three_d_secure, country, reason,
    settled_currency, count(*) AS number, CAST(sum(settled) AS BIGINT) AS total
FROM keyed
GROUP BY
    event_day, charge_day, kind, status, network, method, outcome, risk_level, three_d_secure, country, reason,
    settled_currency
ORDER BY
    event_day, charge_day, kind, status, network, method, outcome, risk_level, three_d_secure, country, reason,
    settled_currency

-- part: currency
SELECT settled_currency, count(*) AS number
FROM events
WHERE kind = 1 AND status = 1 AND settled_currency > 0
    AND "at" <= $now AND "at" >= CAST($now - $now % 86400 - ($window - 1) * 86400 AS BIGINT)
GROUP BY settled_currency
ORDER BY number DESC, settled_currency
LIMIT 1

-- part: tickets
-- A ticket is its settled amount with every digit after the third set to 0.
WITH paid AS (
    SELECT
        CAST(("at" - "at" % 86400) / 86400 AS BIGINT) AS event_day, settled_currency, settled,
        CASE
            WHEN settled < 1000 THEN 1
            WHEN settled < 10000 THEN 10
            WHEN settled < 100000 THEN 100
            WHEN settled < 1000000 THEN 1000
            WHEN settled < 10000000 THEN 10000
            WHEN settled < 100000000 THEN 100000
            WHEN settled < 1000000000 THEN 1000000
            WHEN settled < 10000000000 THEN 10000000
            WHEN settled < 100000000000 THEN 100000000
            WHEN settled < 1000000000000 THEN 1000000000
            WHEN settled < 10000000000000 THEN 10000000000
            WHEN settled < 100000000000000 THEN 100000000000
            WHEN settled < 1000000000000000 THEN 1000000000000
            WHEN settled < 10000000000000000 THEN 10000000000000
            WHEN settled < 100000000000000000 THEN 100000000000000
            ELSE 1000000000000000
        END AS unit
    FROM events
    WHERE kind = 1 AND status = 1
        AND "at" <= $now AND "at" >= CAST($now - $now % 86400 - ($window - 1) * 86400 AS BIGINT)
),
cut AS (
    SELECT event_day, settled_currency, settled, settled - settled % unit AS ticket FROM paid
)
SELECT event_day, settled_currency, ticket, count(*) AS number, CAST(sum(settled) AS BIGINT) AS total
FROM cut
GROUP BY event_day, settled_currency, ticket
ORDER BY event_day, settled_currency, ticket

-- part: cards
-- By day: attempts within an hour after a decline of the same card, and how many cards were declined.
WITH attempts AS (
    SELECT
        CAST(("at" - "at" % 86400) / 86400 AS BIGINT) AS event_day, status, card,
        lag(status) OVER (PARTITION BY card ORDER BY "at", source) AS previous_status,
        "at" - lag("at") OVER (PARTITION BY card ORDER BY "at", source) AS since
    FROM events
    WHERE kind = 1 AND status IN (1, 2) AND card <> 0
        AND "at" <= $now AND "at" >= CAST($now - $now % 86400 - ($window - 1) * 86400 AS BIGINT)
),
days AS (
    SELECT
        event_day,
        count(CASE WHEN previous_status = 2 AND since <= 3600 THEN 1 END) AS retries,
        count(DISTINCT CASE WHEN status = 2 THEN card END) AS declined_cards
    FROM attempts
    GROUP BY event_day
)
SELECT event_day, retries, declined_cards FROM days WHERE retries > 0 OR declined_cards > 0 ORDER BY event_day

-- part: conversions
SELECT currency, settled_currency, CAST(sum(amount) AS BIGINT) AS amounts, CAST(sum(settled) AS BIGINT) AS total
FROM events
WHERE kind = 1 AND status = 1 AND currency <> settled_currency
    AND currency > 0 AND settled_currency > 0 AND amount > 0 AND settled > 0
    AND "at" <= $now AND "at" >= CAST($now - $now % 86400 - ($window - 1) * 86400 AS BIGINT)
GROUP BY currency, settled_currency
ORDER BY currency, settled_currency

-- part: customers
-- Of the customers known by an id, in the settlement currency of most payments: all sales, those of the largest
-- customer, and the sum of squares over customers.
WITH paid AS (
    SELECT settled_currency, customer, settled
    FROM events
    WHERE kind = 1 AND status = 1 AND settled_currency > 0
        AND "at" <= $now AND "at" >= CAST($now - $now % 86400 - ($window - 1) * 86400 AS BIGINT)
),
main AS (
    SELECT settled_currency, count(*) AS number
    FROM paid
    GROUP BY settled_currency
    ORDER BY number DESC, settled_currency
    LIMIT 1
),
customers AS (
    SELECT paid.customer AS customer, CAST(sum(paid.settled) AS DECIMAL(19, 0)) AS total
    FROM paid INNER JOIN main ON paid.settled_currency = main.settled_currency
    WHERE paid.customer <> 0
    GROUP BY paid.customer
)
SELECT
    coalesce(sum(total), 0) AS volume, coalesce(max(total), 0) AS largest, coalesce(sum(total * total), 0) AS squares
FROM customers

-- part: holds
SELECT
    "at", charge_at, ends_at, amount, settled, source, charge, card, customer, kind, status, currency,
    settled_currency, network, method, outcome, risk_level, three_d_secure, country, reason
FROM known
WHERE kind IN (6, 7)
ORDER BY "at", kind, source
