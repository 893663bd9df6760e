"""Opening stored connections for the attempts of this process."""

import sqlalchemy as sa

from canvas.actions.connections import ConnectionUnreadable, OpenedConnection, UnknownConnection
from canvas.actions.masked_logs import keep_out_of_logs
from canvas.db import connect
from canvas.settings import Settings
from canvas.vault import Vault, VaultError
from models import Connection
from models.columns import table_of

_CONNECTION = table_of(Connection)
_ONE = sa.select(_CONNECTION.c.id, _CONNECTION.c.kind, _CONNECTION.c.config, _CONNECTION.c.sealed).where(
    _CONNECTION.c.name == sa.bindparam("name")
)


class StoredConnections:
    """Reads a connection each time it is opened, so that a change holds from the next call on."""

    def __init__(self, settings: Settings) -> None:
        self._engine = connect(settings).execution_options(canvas_readonly=True)
        self._vault = Vault(settings)

    async def open(self, name: str) -> OpenedConnection:
        """Open one by name.

        Raises:
            UnknownConnection: there is none of this name.
            ConnectionUnreadable: its secrets cannot be opened here.
        """
        with self._engine.connect() as database:
            row = database.execute(_ONE, {"name": name}).one_or_none()
        if row is None:
            raise UnknownConnection(f"There is no connection `{name}`. Add it on the Connections page.")
        try:
            secrets = self._vault.open(row.id, row.sealed)
        except VaultError as error:
            raise ConnectionUnreadable(f"The connection `{name}`: {error}") from None
        opened = OpenedConnection(name, row.kind, {**row.config, **secrets})
        keep_out_of_logs(opened.secrets)
        return opened
