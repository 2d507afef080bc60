-- Take hosts on an old image out of service: no new sessions, and those that are
-- empty leave their pool and stop.
--
--   planeql exec --yes -f retire_image.sql --var image=26100.4652
--
-- Run it again, by a timer, until the check at its end holds: exit code 8 says
-- that somebody is still on, 0 that all are out. What is done is not done again.

USE azure.desktop_virtualization;

CREATE TEMP TABLE old AS
SELECT h.id, h.sessionHostName, m.subscriptionId, m.resourceGroupName, m.name AS vmName
FROM session_hosts h JOIN azure.compute.virtual_machines m ON m.id = h.resourceId
WHERE m.properties ->> '$.storageProfile.imageReference.exactVersion' < '{{ image }}';

-- Whom this concerns.
SELECT o.sessionHostName, count(s.id) AS sessions
FROM old o LEFT JOIN user_sessions s USING (sessionHostName) GROUP BY ALL ORDER BY ALL;

UPDATE session_hosts SET allowNewSession = false WHERE id IN (SELECT id FROM old) AND allowNewSession;

-- The number that a host tells lags behind, so the sessions themselves are asked.
CREATE TEMP TABLE unused AS
FROM old WHERE sessionHostName NOT IN (SELECT sessionHostName FROM user_sessions);

DELETE FROM session_hosts WHERE id IN (SELECT id FROM unused) AND NOT allowNewSession AND sessions = 0;

EXEC azure.compute.virtual_machines.deallocate
FROM (SELECT subscriptionId, resourceGroupName, vmName FROM unused);

CHECK (SELECT count(*) = 0 FROM old WHERE id NOT IN (SELECT id FROM unused));
