// Loaded before code-server in each of its two processes. Both parts save time between a start and the first page.
'use strict'

const { subscribe } = require('node:diagnostics_channel')
const http = require('node:http')
const { enableCompileCache } = require('node:module')

// The first process forks the server with its own arguments, this file among them. What the server starts, with
// whatever Node, is not to get it.
if (process.env.CODE_SERVER_PARENT_PID) {
  process.execArgv.splice(process.execArgv.indexOf('--require'), 2)
}

// In the container, not in the home: a start after the first does not compile the same sources anew.
enableCompileCache('/tmp/.code-server-compiled')

// code-server reads the editor's server, a quarter of a second, when the first page is asked for. It is asked
// for here, once it listens: while the gateway still learns that it does.
const socketPath = process.env.CODEHUB_SOCKET

function ask(tries) {
  const request = http.get({ socketPath, path: '/version' }, (answer) => {
    answer.resume()
    // It listens some milliseconds before it knows its routes.
    if (answer.statusCode === 404 && tries > 1) setTimeout(ask, 5, tries - 1)
  })
  request.on('error', () => {})
}

subscribe('tracing:net.server.listen:asyncEnd', ({ server }) => {
  if (server.address() === socketPath) ask(100)
})
