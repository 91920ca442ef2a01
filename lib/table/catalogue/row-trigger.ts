/** SQL: a row of pg_trigger is an enabled BEFORE trigger for each row, which may change or drop rows. */
export const IS_ROW_TRIGGER = "tgtype & 3 = 3 AND NOT tgisinternal AND tgenabled <> 'D'"

/** SQL: a row of pg_trigger is an enabled trigger for each inserted row, which may write other rows. */
export const IS_INSERT_TRIGGER = "tgtype & 5 = 5 AND NOT tgisinternal AND tgenabled <> 'D'"
