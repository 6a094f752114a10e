// SPDX-License-Identifier: Apache-2.0

// Writes the lines of pino to standard output.
const pino = require('pino')

// The lines are recorded, too: without the paths of a machine.
Error.stackTraceLimit = 0
// Half of a pair of surrogates. pino leaves it to JSON.stringify in a long text only.
const half = '\u{1F600}'.slice(0, 1)

const logger = pino({ name: 'shop' })
logger.info('started')
logger.error('failed 1')
logger.error(new Error('no'), 'failed 2')
// A name twice is as pino has it.
logger.child({ order: { id: 7 } }).error({ order: { id: 8 }, items: [1, 'x'] }, 'failed 3')
logger.error({ cut: half, long: 'x'.repeat(100) + half }, 'failed 4')
logger.fatal('failed 5')
