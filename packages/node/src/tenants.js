/**
 * What a connection may reach, and with which credentials, according to the plugin's `describe` for its settings. The keys stay here: the
 * plugin gets the settings without them, and this side adds the header to requests to the key's own origin.
 */
import { createHash } from 'node:crypto';
import { OriginError, parseOrigin, publicOrigin } from './allow.js';
import { HandoffError } from './errors.js';

/** How many connections are cached; others are described again. */
const KNOWN = 1_000;

/** No access. */
export const NOWHERE = { rule: () => undefined };

/** The origins that a call may reach. */
class Access {
  #rules = new Map();
  /** Each matches every subdomain of its host over https, not the host itself. */
  #below = [];

  add(origin, internal, header) {
    const rule = this.#rules.get(origin.key) ?? { internal, headers: [] };
    if (header) rule.headers.push(header);
    this.#rules.set(origin.key, rule);
  }

  addBelow(host) {
    this.#below.push(host);
  }

  /** How to reach this origin; undefined if it is not allowed. */
  rule(origin) {
    const exact = this.#rules.get(origin.key);
    if (exact) return exact;
    const isBelow = (host) => origin.key === `https://${origin.host}:443` && origin.host.endsWith(`.${host}`) && !origin.host.startsWith('.');
    return this.#below.some(isBelow) ? { internal: false, headers: [] } : undefined;
  }
}

export class Tenants {
  #describe;
  #internal;
  #subdomains;
  #keysInside;
  #secretNames;
  #known = new Map();

  /**
   * `describe` calls the plugin; `internal` holds the operator's internal origins, `subdomains` the hosts whose subdomains a connection may
   * reach if its settings name them.
   */
  constructor(describe, { internal, subdomains, keysInside }) {
    this.#describe = describe;
    this.#internal = new Map(internal.map((origin) => [origin.key, origin]));
    this.#subdomains = subdomains;
    this.#keysInside = keysInside;
  }

  /** For these settings: `settings` for the plugin, the `secrets` removed from them, and `access`. */
  of(text) {
    const id = createHash('sha256').update(text).digest('base64');
    const known = this.#known.get(id);
    if (known) return known;
    const tenant = this.#make(text);
    this.#known.set(id, tenant);
    if (this.#known.size > KNOWN) this.#known.delete(this.#known.keys().next().value);
    tenant.catch(() => this.#known.delete(id));
    return tenant;
  }

  async #make(text) {
    const { settings, secrets } = this.#keysInside ? { settings: text, secrets: {} } : await this.#split(text);
    const access = new Access();
    let descriptor;
    try {
      descriptor = await this.#describe(settings);
    } catch (error) {
      // The call itself reports what is wrong with the settings.
      if (error instanceof HandoffError) return { settings, secrets, access };
      throw error;
    }
    const missing = new Set();
    const used = new Set();
    for (const { origin: text, credential } of descriptor.outbound) {
      const below = text.startsWith('https://*.') ? text.slice('https://*.'.length).toLowerCase() : undefined;
      if (this.#subdomains.includes(below)) access.addBelow(below);
      const origin = this.#origin(text);
      if (!origin) continue;
      const template = this.#keysInside ? undefined : parse(credential);
      let header;
      if (template && secrets[template.setting] !== undefined) {
        used.add(template.setting);
        header = [template.header, fill(template, secrets[template.setting])];
      } else if (template) {
        missing.add(template.setting);
      }
      access.add(origin, this.#internal.has(origin.key), header);
    }
    // The plugin reports a ticket desk without a key, as long as the account has one.
    const [first] = missing;
    if (first && used.size === 0) throw refused(first, `the setting \`${first}\` is missing`);
    return { settings, secrets, access };
  }

  /** Splits settings into those without secrets, and the secrets. */
  async #split(text) {
    this.#secretNames ??= this.#describe(undefined).then(({ settingsSchema }) => {
      const properties = Object.entries(JSON.parse(settingsSchema).properties);
      return properties.flatMap(([name, { writeOnly }]) => (writeOnly ? [name] : []));
    });
    // The next call asks again: this one may have found no thread.
    const names = this.#secretNames;
    names.catch(() => {
      if (this.#secretNames === names) this.#secretNames = undefined;
    });
    let all;
    try {
      all = JSON.parse(text);
    } catch {
      return { settings: text, secrets: {} };
    }
    if (typeof all !== 'object' || all === null || Array.isArray(all)) return { settings: text, secrets: {} };
    const secrets = {};
    for (const name of await names) {
      const given = all[name] ?? '';
      // Not into the sandbox to be refused there.
      if (typeof given !== 'string') throw refused(name, `the setting \`${name}\` must be text`);
      const value = given.trim();
      if (value === '') continue;
      if (!/^[\x21-\x7e]+$/.test(value)) throw refused(name, `the setting \`${name}\` holds characters that a header cannot`);
      secrets[name] = value;
      delete all[name];
    }
    return { settings: JSON.stringify(all), secrets };
  }

  /** An origin on the internet, or one that the operator allows. */
  #origin(text) {
    try {
      const { key } = parseOrigin(text);
      return this.#internal.get(key) ?? publicOrigin(text);
    } catch (error) {
      if (error instanceof OriginError) return undefined;
      throw error;
    }
  }
}

/** Parses `<header>: <before>{<setting>}<after>` of `describe`. */
function parse(credential) {
  const [, header, before, setting, after] = /^([\w-]+):\s*([^{}]*)\{([^{}]+)\}([^{}]*)$/.exec(credential ?? '') ?? [];
  return header && { header, before, setting, after };
}

/** The header's value. Encodes what follows `Basic`, as RFC 7617 requires; the template has it unencoded. */
function fill({ before, after }, secret) {
  const [, scheme, user] = /^(basic) (.*)$/i.exec(before) ?? [];
  return scheme ? `${scheme} ${btoa(`${user}${secret}${after}`)}` : `${before}${secret}${after}`;
}

function refused(setting, message) {
  return new HandoffError({ kind: 'invalid-settings', field: `settings.${setting}`, message });
}
