/** What a message asks the support agent for. */
export interface Wish {
  order: number;
  /** `undefined`: no refund. */
  refundEur: number | undefined;
}

const MARKED_ORDER = [
  /#\s*(\d{3,9})\b/,
  /\border\w*"?\W{0,4}(?:(?:number|no|nr|id)\b\W{0,4})?(\d{3,9})\b/i,
];
const BARE_ORDER = /(?<![\d.,€])\b(\d{4,9})\b(?![.,]\d)/;
const NUMBER = String.raw`(\d(?:[\d.,]*\d)?)`;
const MONEY = new RegExp(
  String.raw`(?:€|\beuros?\b|\bEUR\b)\s*${NUMBER}|${NUMBER}\s*(?:€|euros?\b|EUR\b)`,
  'i',
);
const BARE_AMOUNT = new RegExp(String.raw`\b(?:refund|amount)\w*\W{1,4}(?:of\W+)?${NUMBER}`, 'i');
const REFUND = /refund|reimburs|money back|pay back|give back|compensat|erstatt|rembours/i;
const NO_REFUND = /\b(?:no|not|without|don't|never)\s+(?:\w+\s+)?(?:refund|reimburs)/i;

/** Customers who name no amount get this much. */
const DEFAULT_EUR = 25;

/** Finds an order, and a refund if one is asked for, in plain words; `undefined`: no order. */
export function understand(text: string): Wish | undefined {
  const found = findOrder(text);
  if (!found) return undefined;
  return { order: Number(found[1]), refundEur: findRefund(text.replace(found[0], ' ; ')) };
}

function findOrder(text: string): RegExpExecArray | null {
  for (const pattern of MARKED_ORDER) {
    const found = pattern.exec(text);
    if (found) return found;
  }
  // "1250 EUR for 1042": what is marked as money is no order, if there is another number.
  return BARE_ORDER.exec(text.replace(MONEY, ' ')) ?? BARE_ORDER.exec(text);
}

/** @param text without the order, whose number is no amount */
function findRefund(text: string): number | undefined {
  if (NO_REFUND.test(text)) return undefined;
  const money = MONEY.exec(text);
  const wanted = REFUND.test(text) || (money && /\b(?:back|credit|return)\b/i.test(text));
  if (!wanted) return undefined;
  const number = money ?? BARE_AMOUNT.exec(text);
  return number ? toEuros(number[1] ?? number[2] ?? '') : DEFAULT_EUR;
}

/** `1,250.00`, `1.250,00`, `12,5`: a last separator with one or two digits behind it is decimal. */
function toEuros(written: string): number {
  const [, whole = '', cents = '0'] = /^(.*?)(?:[.,](\d{1,2}))?$/.exec(written) ?? [];
  return Number(`${whole.replaceAll(/[.,]/g, '')}.${cents}`);
}
