"""Tasks and proposals over HTTP, under the names that callers of older systems know."""

from tests.api.test_triggers import code

CFO = {
    "customer_id": "customer_acme",
    "task_type": "CSM_TASK",
    "owner": "CSM",
    "action": "Schedule and Conduct CFO Engagement Meeting",
    "description": "Set up a 30-minute intro call with the new CFO",
    "priority": 1,
    "complexity": "complex",
    "estimated_completion_time": "2 hours total",
    "metadata": {"hasSubTasks": True, "subTaskCount": 4, "dueDate": "2025-10-15"},
}
PARTS = ("Research CFO background", "Prepare slide deck", "Send meeting invitation", "Conduct meeting")


def test_a_task_with_four_sub_tasks_is_worked_off(api):
    """Raised, listed, completed one by one; the parent follows by itself."""
    made = api.post("/workflows/tasks", json=CFO)
    parent = made.json()
    assert (201, "pending", CFO["metadata"]) == (made.status_code, parent["status"], parent["metadata"])
    parts = [
        api.post(
            "/workflows/tasks", json={"action": part, "parent_task_id": parent["id"], "complexity": "simple"}
        ).json()
        for part in PARTS
    ]
    tree = api.get(f"/workflows/tasks/{parent['id']}/tree").json()
    assert [(0, CFO["action"]), *((1, part) for part in PARTS)] == [
        (one["depth"], one["task"]["action"]) for one in tree
    ]

    for part in parts[:-1]:
        assert "completed" == api.post(f"/workflows/tasks/{part['id']}/complete", json={}).json()["status"]
    skipped = api.post(f"/workflows/tasks/{parts[-1]['id']}/skip", json={"reason": "they met already"}).json()
    assert ("skipped", "they met already") == (skipped["status"], skipped["skip_reason"])
    assert "completed" == api.get(f"/workflows/tasks/{parent['id']}").json()["status"]


def test_queued_ai_tasks_are_found(api):
    """By the query that older systems use; the most urgent first."""
    for priority in (3, 1, 2):
        wish = {"action": f"p{priority}", "task_type": "AI_TASK", "priority": priority}
        api.post("/workflows/tasks", json={**wish, "auto_execute": True, "processor": "log/event"})
    api.post("/workflows/tasks", json={"action": "by hand"})

    found = api.get("/workflows/tasks?auto_execute=true&execution_status=queued").json()["tasks"]

    assert ["p1", "p2", "p3"] == [task["action"] for task in found]


def test_tasks_are_changed_snoozed_reassigned_and_reopened(api):
    """Each answer is the task as it is now."""
    task = api.post("/workflows/tasks", json={"action": "Call"}).json()
    address = f"/workflows/tasks/{task['id']}"
    changed = api.patch(address, json={"assignee": "ana", "priority": 2, "status": "in_progress"}).json()
    assert ("ana", 2, "in_progress") == (changed["assignee"], changed["priority"], changed["status"])
    assert "snoozed" == api.post(f"{address}/snooze", json={"until": "2099-01-01T00:00:00Z"}).json()["status"]
    assert "cancelled" == api.post(f"{address}/cancel").json()["status"]
    assert "pending" == api.post(f"{address}/reopen").json()["status"]


def test_what_tasks_refuse(api):
    """Each with a code; nothing is changed."""
    task = api.post("/workflows/tasks", json={"action": "Call", "outcomes": ["YES", "NO"]}).json()
    address = f"/workflows/tasks/{task['id']}"
    assert (422, "bad_outcome") == code(api.post(f"{address}/complete", json={"outcome": "MAYBE"}))
    assert (409, "stale_task") == code(api.post(f"{address}/complete", json={"outcome": "YES", "revision": 9}))
    assert (404, "task_not_found") == code(api.get("/workflows/tasks/nobody"))
    assert 422 == api.post("/workflows/tasks", json={"action": "x", "priority": 9}).status_code
    assert 422 == api.post("/workflows/tasks", json={"action": "x", "task_type": "TASK"}).status_code
    assert 200 == api.post(f"{address}/complete", json={"outcome": "YES"}).status_code
    assert (409, "task_ended") == code(api.post(f"{address}/complete", json={"outcome": "NO"}))


def test_a_proposal_is_made_approved_and_run(api, engine):
    """From the agent's chain to the finished run, over HTTP only."""
    chain = [{"action": "log/event", "parameters": {"message": text}, "reason": "to see"} for text in "abc"]
    made = api.post("/proposals", json={"name": "Three lines", "ticket_id": "OPS-7", "actions": chain})
    proposal = made.json()
    assert (201, "proposed", 3) == (made.status_code, proposal["status"], len(proposal["actions"]))
    chosen = [one["id"] for one in proposal["actions"][:2]]
    approval = {"content_hash": proposal["content_hash"], "action_ids": chosen}
    run_id = api.post(f"/proposals/{proposal['id']}/approve", json=approval).json()["run_id"]
    engine.wait(run_id)

    ended = api.get(f"/proposals/{proposal['id']}").json()
    assert ("completed", ["completed", "completed", "rejected"]) == (
        ended["status"],
        [one["status"] for one in ended["actions"]],
    )
    assert "proposal" == api.get(f"/runs/{run_id}").json()["trigger_type"]
    assert [proposal["id"]] == [one["id"] for one in api.get("/proposals?status=completed").json()["proposals"]]


def test_what_proposals_refuse(api):
    """All problems of a chain at once; a second decision; a proposal nobody made."""
    chain = [{"action": "log/nothing"}, {"action": "log/event", "depends_on": 5}]
    assert (422, "invalid_proposal") == code(api.post("/proposals", json={"name": "x", "actions": chain}))
    good = [{"action": "log/event", "parameters": {"message": "x"}}]
    proposal = api.post("/proposals", json={"name": "x", "actions": good}).json()
    address = f"/proposals/{proposal['id']}"
    assert (409, "proposal_changed") == code(api.post(f"{address}/approve", json={"content_hash": "other"}))
    assert "rejected" == api.post(f"{address}/reject", json={"reason": "no"}).json()["status"]
    assert (409, "already_decided") == code(api.post(f"{address}/approve", json={}))
    assert (404, "proposal_not_found") == code(api.post("/proposals/nobody/cancel"))
