import { describeTransactionalSteps } from './postgres/transactional-steps.ts';

describeTransactionalSteps();
