import type { ChildTask, MeasuredModule } from './child.ts'

// the process of one run; an error ends it with a status other than 0
process.once('message', async message => {
  const { module, argument } = message as ChildTask
  const { measure } = (await import(module)) as MeasuredModule
  const result = await measure(argument as never)
  process.send!({ result }, () => process.disconnect())
})
process.once('disconnect', () => process.exit()) // the parent is gone, or has its answer
