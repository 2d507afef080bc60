-- Maintenance of a host pool: nobody new gets in, the users are told and have time to save, their sessions are ended, the
-- machines are stopped, and the hosts take sessions again once the machines are started.
--
--   planeql exec --yes --db maintenance.duckdb -f docs/scripts/maintenance.sql \
--     --var subscription=… --var group=rg-avd-prod-weu --var pool=hp-office --var grace_minutes=10
--
-- It stops at the first call that fails. Run again with the same --db it goes on with the same hosts; run again after its
-- end it finds no host that runs, and changes nothing.

-- Which hosts: those that are up and take sessions. Who has drained a host before has a reason, so it stays as it is. The
-- table outlives a run that fails, so that the next one opens what this one has closed.
CREATE TABLE IF NOT EXISTS maintenance AS
SELECT sessionHostName, lower(resourceId) AS machine
FROM azure.desktop_virtualization.session_hosts
WHERE subscriptionId = '{{ subscription }}' AND resourceGroupName = '{{ group }}' AND hostPoolName = '{{ pool }}'
  AND status = 'Available' AND allowNewSession;

-- Drain. Only hosts that are still open are called, and none that has been stopped already.
UPDATE azure.desktop_virtualization.session_hosts SET allowNewSession = false
WHERE subscriptionId = '{{ subscription }}' AND resourceGroupName = '{{ group }}' AND hostPoolName = '{{ pool }}'
  AND sessionHostName IN (SELECT sessionHostName FROM maintenance) AND allowNewSession AND status = 'Available';

-- Tell those who would see it. The sessions are read now, after the draining: nobody can have come since.
EXEC azure.desktop_virtualization.user_sessions.send_message
  @subscriptionId = '{{ subscription }}', @resourceGroupName = '{{ group }}', @hostPoolName = '{{ pool }}',
  @sessionHostName = s.sessionHostName, @userSessionId = s.userSessionId,
  @messageTitle = 'Maintenance', @messageBody = 'Please save your work. You will be signed out in {{ grace_minutes }} minutes.'
FROM (SELECT sessionHostName, userSessionId FROM azure.desktop_virtualization.user_sessions
      WHERE subscriptionId = '{{ subscription }}' AND resourceGroupName = '{{ group }}' AND hostPoolName = '{{ pool }}'
        AND sessionHostName IN (SELECT sessionHostName FROM maintenance) AND sessionState = 'Active') AS s;

-- Wait, where there is anybody to wait for.
SELECT sleep_ms(CAST({{ grace_minutes }} * 60000 AS BIGINT)) AS waited FROM maintenance LIMIT 1;

-- End all sessions that are there now, by a fresh list.
DELETE FROM azure.desktop_virtualization.user_sessions
WHERE subscriptionId = '{{ subscription }}' AND resourceGroupName = '{{ group }}' AND hostPoolName = '{{ pool }}'
  AND sessionHostName IN (SELECT sessionHostName FROM maintenance);

-- A host is stopped only when its sessions are gone: the broker goes on sending users to a session that it still knows.
SELECT CASE WHEN count(*) > 0 THEN error(count(*) || ' sessions are still there; run the script again') ELSE 'all signed out' END AS sessions
FROM azure.desktop_virtualization.user_sessions
WHERE subscriptionId = '{{ subscription }}' AND resourceGroupName = '{{ group }}' AND hostPoolName = '{{ pool }}'
  AND sessionHostName IN (SELECT sessionHostName FROM maintenance);

-- Stop the machines that run. One listing tells the power state of all machines of the subscription. The
-- statement ends when they are stopped.
CREATE OR REPLACE TEMP TABLE running AS
SELECT resourceGroupName, vmName FROM azure.compute.virtual_machines
WHERE subscriptionId = '{{ subscription }}' AND statusOnly = 'true' AND lower(id) IN (SELECT machine FROM maintenance)
  AND properties.instanceView.statuses ->> '$[#-1].code' NOT IN ('PowerState/deallocated', 'PowerState/deallocating');

EXEC azure.compute.virtual_machines.deallocate
  @subscriptionId = '{{ subscription }}', @resourceGroupName = m.resourceGroupName, @vmName = m.vmName
FROM (SELECT resourceGroupName, vmName FROM running) AS m;

-- Open the hosts: what has been closed above, and nothing else.
UPDATE azure.desktop_virtualization.session_hosts SET allowNewSession = true
WHERE subscriptionId = '{{ subscription }}' AND resourceGroupName = '{{ group }}' AND hostPoolName = '{{ pool }}'
  AND sessionHostName IN (SELECT sessionHostName FROM maintenance) AND NOT allowNewSession;

DROP TABLE maintenance;
