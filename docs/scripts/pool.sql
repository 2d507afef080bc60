-- A host pool, its desktop, the workspace that shows it and the plan that scales it,
-- as they should be.
--
--   planeql plan pool.sql --var group=rg-avd-prod-weu --var limit=12
--
-- The order does not matter: what is named is made before what names it.

USE azure.desktop_virtualization;
SET VARIABLE sub = '8f2c1a5e-3b6d-4c7a-9e10-5d2f4b8a6c01';
SET VARIABLE home = '/subscriptions/' || getvariable('sub') || '/resourceGroups/{{ group }}/providers/Microsoft.DesktopVirtualization';

-- Before anything is changed:
CHECK (SELECT count(*) = 1 FROM azure.resources.resource_groups WHERE subscriptionId = getvariable('sub') AND resourceGroupName = '{{ group }}');

REPLACE INTO workspaces (subscriptionId, resourceGroupName, workspaceName, location, friendlyName, applicationGroupReferences)
VALUES (getvariable('sub'), '{{ group }}', 'ws-new', 'westeurope', 'New desk',
        [getvariable('home') || '/applicationGroups/ag-new']);

INSERT INTO application_groups (subscriptionId, resourceGroupName, applicationGroupName, location, applicationGroupType, hostPoolArmPath)
VALUES (getvariable('sub'), '{{ group }}', 'ag-new', 'westeurope', 'Desktop', getvariable('home') || '/hostPools/hp-new')
ON CONFLICT DO UPDATE;

INSERT INTO host_pools (subscriptionId, resourceGroupName, hostPoolName, location, hostPoolType, loadBalancerType, preferredAppGroupType, maxSessionLimit)
VALUES (getvariable('sub'), '{{ group }}', 'hp-new', 'West Europe', 'Pooled', 'BreadthFirst', 'Desktop', {{ limit }})
ON CONFLICT DO UPDATE;

INSERT INTO scaling_plans (subscriptionId, resourceGroupName, scalingPlanName, location, timeZone, hostPoolType, hostPoolReferences)
VALUES (getvariable('sub'), '{{ group }}', 'sp-new', 'westeurope', 'W. Europe Standard Time', 'Pooled',
        [{'hostPoolArmPath': getvariable('home') || '/hostPools/hp-new', 'scalingPlanEnabled': true}])
ON CONFLICT DO UPDATE;

-- Once all is as stated:
CHECK (SELECT json_array_length(applicationGroupReferences) = 1
       FROM workspaces WHERE subscriptionId = getvariable('sub') AND resourceGroupName = '{{ group }}' AND workspaceName = 'ws-new');
