// SPDX-License-Identifier: Apache-2.0

// Writes the lines of bunyan to standard output.
const bunyan = require('bunyan')

const logger = bunyan.createLogger({ name: 'shop' })
logger.info('started')
logger.error('failed 1')
logger.error(new Error('no'), 'failed 2')
logger.error({ order: { id: 7 }, items: [1, 'x'] }, 'failed 3')
// A text that was cut in the middle of a pair of surrogates.
logger.error({ cut: '\u{1F600}'.slice(0, 1) }, 'failed 4')
logger.fatal('failed 5')
