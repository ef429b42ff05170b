import type { BesidePart } from '../extras/dev/index.ts';

/** The example's shop, which `agent-once dev` starts beside everything else. */
export const shop: BesidePart = {
  name: 'shop',
  description: 'the example shop',
  port: 8090,
  variable: 'SHOP_URL',
  module: 'examples/shop/server.ts',
};
