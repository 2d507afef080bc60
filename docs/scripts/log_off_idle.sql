-- Log off who has been disconnected for long, after a message.
--
--   planeql exec --yes -f log_off_idle.sql --var hours=24
--
-- Azure tells when a session began, not since when it is disconnected: the hours
-- are those since its beginning. Run twice, the second run finds nothing.

USE azure.desktop_virtualization;

CREATE TEMP TABLE idle AS
SELECT id, subscriptionId, resourceGroupName, hostPoolName, sessionHostName, userSessionId, userPrincipalName, createTime
FROM user_sessions
WHERE sessionState = 'Disconnected' AND createTime < now() - INTERVAL '{{ hours }} hours';

SELECT hostPoolName, sessionHostName, userPrincipalName, datesub('hour', createTime, now()) AS hours
FROM idle ORDER BY ALL;

-- A message that cannot be shown is no reason to leave the session there.
ON ERROR CONTINUE;
EXEC user_sessions.send_message
  @messageTitle = 'You will be logged off',
  @messageBody = 'Your session has been disconnected for long and ends now. What was saved is kept.'
FROM (SELECT subscriptionId, resourceGroupName, hostPoolName, sessionHostName, userSessionId FROM idle);
ON ERROR STOP;

-- The WHERE says again what idle means: each session is read once more right
-- before its call, and one that was taken up again meanwhile is passed over. force
-- ends sessions of hosts that cannot be reached, too.
DELETE FROM user_sessions
WHERE id IN (SELECT id FROM idle) AND sessionState = 'Disconnected' AND createTime < now() - INTERVAL '{{ hours }} hours'
  AND force = true;

SELECT outcome, count(*) AS sessions FROM planeql_outcomes() GROUP BY 1 ORDER BY 1;
