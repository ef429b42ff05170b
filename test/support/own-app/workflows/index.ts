export * from '../../../../src/workflows/index.ts';
export { callMissing, greet } from './greet.ts';
export { receive, receiveAnywhere } from './receive.ts';
