/** The schema as introspection tells it. */

const TYPE = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
const INPUT = `name description defaultValue isDeprecated deprecationReason type { ${TYPE} }`;

/** What the API is asked for its schema. */
export const INTROSPECTION = `query Schema {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    directives { name args { ${INPUT} } }
    types {
      kind name description
      fields(includeDeprecated: true) {
        name description isDeprecated deprecationReason args(includeDeprecated: true) { ${INPUT} } type { ${TYPE} }
      }
      inputFields(includeDeprecated: true) { ${INPUT} }
      enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
      interfaces { ${TYPE} }
      possibleTypes { ${TYPE} }
    }
  }
}`;

export class Schema {
  constructor(introspected) {
    this.roots = ["query", "mutation", "subscription"].filter((kind) => introspected[`${kind}Type`]);
    this.directives = byName(introspected.directives);
    this.types = byName(introspected.types);
    this.#introspected = introspected;
  }

  #introspected;

  /** The root type of a kind of operation; undefined when there is none. */
  root(kind) {
    return this.roots.includes(kind) ? this.#introspected[`${kind}Type`] : undefined;
  }

  /** The names of the object types that something of this type may be. */
  within(type) {
    return type?.possibleTypes?.map(({ name }) => name) ?? (type ? [type.name] : []);
  }

  /** Types and members whose names hold the word: the word itself first, then what begins with it, types before members. */
  search(word, limit) {
    const wanted = word.toLowerCase();
    const found = [];
    for (const type of this.types.values()) {
      if (type.name.startsWith("__")) continue;
      for (const member of [null, ...membersOf(type)]) {
        const name = (member ?? type).name.toLowerCase();
        const place = name === wanted ? 0 : name.startsWith(wanted) ? 1 : 2;
        if (name.includes(wanted)) found.push({ type, member, rank: 2 * place + (member ? 1 : 0) });
      }
    }
    return found.sort((one, other) => one.rank - other.rank).slice(0, limit);
  }
}

/** Fields, keys or values: whatever the type consists of. */
export const membersOf = (type) => type.fields ?? type.inputFields ?? type.enumValues ?? [];

/** Things by their names. */
export const byName = (things) => new Map((things ?? []).map((each) => [each.name, each]));

/** The name of a type without its brackets. */
export function named(type) {
  return type?.ofType ? named(type.ofType) : type?.name;
}

/** A type as GraphQL writes it, around its bare name. */
export function around(type) {
  if (type.kind === "NON_NULL") return around(type.ofType).map((side, i) => (i ? `${side}!` : side));
  if (type.kind === "LIST") return around(type.ofType).map((side, i) => (i ? `${side}]` : `[${side}`));
  return ["", ""];
}
