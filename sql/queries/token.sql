-- Who may do what over the network.

-- name: token_find
-- A token that has not been revoked.
SELECT id, scope, org, hash FROM token WHERE id = ?1 AND revoked_ms IS NULL;

-- name: token_any
-- Whether anybody could prove who he is.
SELECT EXISTS (SELECT 1 FROM token WHERE revoked_ms IS NULL);

-- name: token_list
SELECT id, scope, org, created_ms, revoked_ms FROM token
ORDER BY created_ms, id;

-- name: token_add
INSERT INTO token (id, scope, org, hash, created_ms)
VALUES (?1, ?2, ?3, ?4, ?5);

-- name: token_revoke
UPDATE token SET revoked_ms = ?2 WHERE id = ?1 AND revoked_ms IS NULL;

-- name: token_known
SELECT revoked_ms FROM token WHERE id = ?1;
