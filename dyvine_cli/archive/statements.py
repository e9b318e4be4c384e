"""What is said to SQLite: the archive's statements, by the name of what they do."""

from __future__ import annotations

SAVED = """
SELECT saved.site, saved.post, saved.asset, account.user, CAST(folder.path AS BLOB), CAST(post.name AS BLOB), saved.shared,
    CAST(saved.rest AS BLOB), saved.size, saved.sha256, saved.time, saved.codec, saved.width, saved.height,
    post.created
FROM {tables}
    JOIN folder ON folder.id = coalesce(saved.folder, post.folder) JOIN account ON account.id = post.account
"""
FILE_OF_POST = "saved CROSS JOIN post ON post.site = saved.site AND post.post = saved.post"
POST_OF_FILE = "post CROSS JOIN saved ON saved.site = post.site AND saved.post = post.post"
SAVED_OF_POST = SAVED.format(tables=FILE_OF_POST) + "WHERE saved.site = ? AND saved.post = ?"
AFTER = "(saved.site, saved.post, saved.asset) > (?, ?, ?)"
IN_ORDER = {
    FILE_OF_POST: "ORDER BY saved.site, saved.post, saved.asset LIMIT ?",
    POST_OF_FILE: "ORDER BY post.site, post.post, saved.asset LIMIT ?",
}
"""The same order, in the words by which SQLite sees that it reads the rows so already."""
ASSET_KIND = "CASE WHEN substr(saved.asset, 1, 9) = 'subtitle.' THEN 'subtitle' ELSE rtrim(saved.asset, '0123456789_') END"
ADD_SAVED = """
INSERT INTO saved (site, post, asset, folder, shared, rest, size, sha256, time, codec, width, height)
VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?, ?, ?, ?)
ON CONFLICT (site, post, asset) DO UPDATE SET folder = excluded.folder, shared = excluded.shared,
    rest = excluded.rest, size = excluded.size, sha256 = excluded.sha256, time = excluded.time,
    codec = excluded.codec, width = excluded.width, height = excluded.height
"""
ADD_POST = """
INSERT INTO post (site, post, account, created, completed) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (site, post) DO UPDATE SET created = excluded.created, completed = excluded.completed
"""
KNOWN = "SELECT 1 FROM post WHERE site = ? AND post = ? AND completed IS NOT NULL"
COMPLETED = "SELECT completed FROM post WHERE site = ? AND post = ? AND completed IS NOT NULL"
FAILED = """
SELECT site, kind, post, asset, error, message, attempts, first, last, next_try, source, scope FROM failed
"""
FAILURES = f"{FAILED} WHERE ?1 IS NULL OR site = ?1 ORDER BY first, site, post, asset, source, scope"
FAIL_AGAIN = """
UPDATE failed SET error = ?5, message = ?6, attempts = attempts + 1, last = ?7, next_try = ?8
WHERE site = ?1 AND kind = ?2 AND post = ?3 AND asset = ?4
"""
ADD_FAILED = """
INSERT OR IGNORE INTO failed (site, kind, post, asset, error, message, last, next_try, source, scope, attempts, first)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, coalesce(max(attempts), 1), coalesce(min(first), ?7)
FROM failed WHERE site = ?1 AND kind = ?2 AND post = ?3 AND asset = ?4
"""
KEEP_FAILED = """
INSERT OR IGNORE INTO failed (site, kind, post, asset, source, scope, error, message, attempts, first, last, next_try)
SELECT site, kind, post, asset, ?4, ?5, error, message, attempts, first, last, next_try
FROM failed WHERE site = ?1 AND kind = ?2 AND post = ?3
"""
NOT_FAILED = "DELETE FROM failed WHERE site = ? AND kind = ? AND post = ? AND (asset = '' OR scope = '')"
DROP_FAILED = """
DELETE FROM failed WHERE site = ? AND kind = ? AND post = ? AND source = ? AND scope = ?
"""
ADD_LISTED = """
INSERT INTO listed (site, kind, source, what, scope, time, listed, hidden, declared, full, cause, filters, top)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (site, kind, source, what, scope) DO UPDATE SET time = excluded.time, listed = excluded.listed,
    hidden = excluded.hidden, declared = excluded.declared, full = coalesce(excluded.full, full),
    cause = excluded.cause, filters = excluded.filters, top = excluded.top
"""
KEEP_CURSOR = """
INSERT INTO unfinished
    (site, kind, source, what, scope, started, cursor, kept, listed, cause, hidden, filters, top, above)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (site, kind, source, what, scope, started) DO UPDATE SET cursor = excluded.cursor, kept = excluded.kept,
    listed = excluded.listed, cause = excluded.cause, hidden = excluded.hidden, filters = excluded.filters,
    top = excluded.top, above = excluded.above
"""
DROP_CURSOR = """
DELETE FROM unfinished WHERE site = ?1 AND kind = ?2 AND source = ?3 AND what = ?4 AND scope = ?5
    AND (?6 IS NULL OR started = ?6)
"""
KEEP_LISTED = (
    """
    INSERT OR IGNORE INTO listed (site, kind, source, what, scope, time, listed, hidden, declared, full, cause, filters, top)
    SELECT site, kind, source, what, ?5, time, listed, hidden, declared, full, cause, filters, top
    FROM listed WHERE site = ?1 AND kind = ?2 AND source = ?3 AND what = ?4 AND scope = ?6
    """,
    """
    INSERT OR IGNORE INTO unfinished
        (site, kind, source, what, scope, started, cursor, kept, listed, cause, hidden, filters, top, above)
    SELECT site, kind, source, what, ?5, started, cursor, kept, listed, cause, hidden, filters, top, above
    FROM unfinished WHERE site = ?1 AND kind = ?2 AND source = ?3 AND what = ?4 AND scope = ?6
    """,
)
KEEP_FAILURES = """
INSERT OR IGNORE INTO failed (site, kind, post, asset, source, scope, error, message, attempts, first, last, next_try)
SELECT site, kind, post, asset, source, ?3, error, message, attempts, first, last, next_try
FROM failed WHERE site = ?1 AND source = ?2 AND scope = ?4
"""
IGNORED = "SELECT 1 FROM ignored WHERE site = ? AND post = ?"
CHECKED = """
SELECT link, what, ref, title, began, ended, state, error, message, new, failed, hidden, size, troubles, next_try, name
FROM checked ORDER BY began, link, what, name
"""
ADD_CHECKED = """
INSERT OR REPLACE INTO checked
    (link, what, ref, title, began, ended, state, error, message, new, failed, hidden, size, troubles, next_try, name)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
ADD_GONE = """
INSERT INTO gone (site, post, state, noticed) VALUES (?, ?, ?, ?) ON CONFLICT (site, post) DO UPDATE SET
    noticed = CASE state WHEN excluded.state THEN noticed ELSE excluded.noticed END, state = excluded.state
"""
ADD_DAMAGED = """
INSERT INTO damaged (site, post, asset, state, noticed) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (site, post, asset) DO UPDATE SET
    noticed = CASE state WHEN excluded.state THEN noticed ELSE excluded.noticed END, state = excluded.state
"""
DAMAGED = """
SELECT site, post, asset, state, noticed FROM damaged
WHERE (?1 IS NULL OR site = ?1) AND (site, post, asset) > (?2, ?3, ?4) ORDER BY site, post, asset LIMIT ?5
"""
IS_DAMAGED = "SELECT 1 FROM damaged WHERE site = ? AND post = ? AND asset = ?"
DROP_DAMAGED = "DELETE FROM damaged WHERE site = ? AND post = ? AND asset = ?"
GONE_OF = """
SELECT gone.post, gone.state, gone.noticed FROM account CROSS JOIN post ON post.account = account.id
    CROSS JOIN gone ON gone.site = post.site AND gone.post = post.post
WHERE account.site = ? AND account.user = ? ORDER BY gone.noticed DESC, gone.post
"""
POSTS_OF = """
SELECT post.post, created FROM post WHERE post.account = (SELECT id FROM account WHERE site = ? AND user = ?)
    AND completed IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM gone WHERE gone.site = post.site AND gone.post = post.post)
ORDER BY created DESC
"""
FORGET = (
    "DELETE FROM saved WHERE site = ? AND post = ?",  # first: its triggers look at `post`
    "DELETE FROM post WHERE site = ? AND post = ?",
    "DELETE FROM ignored WHERE site = ? AND post = ?",
    "DELETE FROM gone WHERE site = ? AND post = ?",
    "DELETE FROM damaged WHERE site = ? AND post = ?",
)
FIND_USERS = """
SELECT user FROM account WHERE site = ?1 AND (user = ?2 OR (uid <> '' AND uid = ?2)) UNION
SELECT user FROM account JOIN name ON name.account = account.id WHERE site = ?1 AND handle <> '' AND handle = ?2
"""
MERGE = (
    "UPDATE post SET account = ?1 WHERE account = ?2",
    """
    INSERT INTO tally SELECT ?1, kind, files, size FROM tally WHERE account = ?2
    ON CONFLICT (account, kind) DO UPDATE SET files = files + excluded.files, size = size + excluded.size
    """,
    "DELETE FROM tally WHERE account = ?2",
    "DELETE FROM name WHERE account = ?2",
    "DELETE FROM account WHERE id = ?2",
)
STATS = """
SELECT site, user, kind, files, size,
    coalesce((SELECT nickname FROM name WHERE name.account = account.id ORDER BY number DESC LIMIT 1), '')
FROM tally JOIN account ON account.id = tally.account WHERE files > 0 ORDER BY site, user, kind
"""
COUNTS = """
SELECT (SELECT count(*) FROM (SELECT DISTINCT site, kind, post, asset FROM failed WHERE ?1 IS NULL OR site = ?1)),
    (SELECT count(*) FROM gone WHERE ?1 IS NULL OR site = ?1),
    (SELECT count(*) FROM ignored WHERE ?1 IS NULL OR site = ?1),
    (SELECT count(*) FROM damaged WHERE ?1 IS NULL OR site = ?1)
"""
FILES_OF_FOLDERS = """
SELECT coalesce(saved.folder, post.folder) AS place, count(*)
FROM saved LEFT JOIN post ON (post.site, post.post) = (saved.site, saved.post) GROUP BY place
"""
PLACES = """
SELECT cursor, started, kept, listed, cause, hidden, filters, top, above FROM unfinished
WHERE site = ? AND kind = ? AND source = ? AND what = ? AND scope = ? ORDER BY started DESC
"""
LISTED = """
SELECT scope, time, listed, hidden, declared, full, cause, filters, top FROM listed
WHERE site = ? AND kind = ? AND source = ? AND what = ?
"""
