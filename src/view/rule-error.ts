/**
 * A function of a view broke a rule that holds whatever the event: the view must be corrected, so that no event is to blame
 * and none is quarantined. The caller adds the place.
 */
export class RuleError extends Error {}
