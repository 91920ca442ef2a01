import { TRANSIENT_SQLSTATES } from '../write/transient.ts'

/**
 * The names that PostgreSQL has for what it finds wrong with a row.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export const ROW_CONDITIONS: Readonly<Record<string, string>> = Object.freeze({
  '22000': 'data_exception',
  '2202E': 'array_subscript_error',
  '22021': 'character_not_in_repertoire',
  '22008': 'datetime_field_overflow',
  '22012': 'division_by_zero',
  '22005': 'error_in_assignment',
  '2200B': 'escape_character_conflict',
  '22022': 'indicator_overflow',
  '22015': 'interval_field_overflow',
  '2201E': 'invalid_argument_for_logarithm',
  '2201F': 'invalid_argument_for_power_function',
  '22018': 'invalid_character_value_for_cast',
  '22007': 'invalid_datetime_format',
  '22019': 'invalid_escape_character',
  '22025': 'invalid_escape_sequence',
  '22010': 'invalid_indicator_parameter_value',
  '22023': 'invalid_parameter_value',
  '2201B': 'invalid_regular_expression',
  '22009': 'invalid_time_zone_displacement_value',
  '2200G': 'most_specific_type_mismatch',
  '22004': 'null_value_not_allowed',
  '22003': 'numeric_value_out_of_range',
  '2200H': 'sequence_generator_limit_exceeded',
  '22026': 'string_data_length_mismatch',
  '22001': 'string_data_right_truncation',
  '22011': 'substring_error',
  '22027': 'trim_error',
  '22024': 'unterminated_c_string',
  '2200F': 'zero_length_character_string',
  '22P01': 'floating_point_exception',
  '22P02': 'invalid_text_representation',
  '22P03': 'invalid_binary_representation',
  '22P04': 'bad_copy_file_format',
  '22P05': 'untranslatable_character',
  '2200L': 'not_an_xml_document',
  '2200M': 'invalid_xml_document',
  '2200N': 'invalid_xml_content',
  '22030': 'duplicate_json_object_key_value',
  '22032': 'invalid_json_text',
  '23000': 'integrity_constraint_violation',
  '23001': 'restrict_violation',
  '23502': 'not_null_violation',
  '23503': 'foreign_key_violation',
  '23505': 'unique_violation',
  '23514': 'check_violation',
  '23P01': 'exclusion_violation',
  '38000': 'external_routine_exception',
  '39000': 'external_routine_invocation_exception',
  '44000': 'with_check_option_violation',
  '54000': 'program_limit_exceeded',
  '54001': 'statement_too_complex',
  '54011': 'too_many_columns',
  P0000: 'plpgsql_error',
  P0001: 'raise_exception',
  P0002: 'no_data_found',
  P0003: 'too_many_rows',
  P0004: 'assert_failure',
})

/** PostgreSQL's name of a SQLSTATE; undefined for one of another's making, and for what is no SQLSTATE. */
export function conditionName(sqlState: string): string | undefined {
  if (!/^[0-9A-Z]{5}$/.test(sqlState)) return undefined
  const name = ROW_CONDITIONS[sqlState] ?? TRANSIENT_SQLSTATES[sqlState]
  // a class's first condition stands for those that have no name here
  return name ?? ROW_CONDITIONS[`${sqlState.slice(0, 2)}000`]
}
