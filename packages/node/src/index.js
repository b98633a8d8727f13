export { Connector } from './connector.js';
export { HandoffError, HostError } from './errors.js';
export { webhooks } from './webhooks.js';
