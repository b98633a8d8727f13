/**
 * What a connection may reach and with which credentials, by what the plugin's `describe` says about its settings. The keys stay here: the
 * plugin gets the settings without them, and the header is added to requests to the origin that it belongs to.
 */
import { createHash } from 'node:crypto';
import { OriginError, parseOrigin, publicOrigin } from './allow.js';
import { HandoffError } from './errors.js';

/** Connections that are remembered; more are described anew. */
const KNOWN = 1_000;

/** Nothing may be reached. */
export const NOWHERE = { rule: () => undefined };

/** The origins that a call may reach. */
class Access {
  #rules = new Map();
  /** Each stands for every subdomain of its host over https, not for the host itself. */
  #below = [];

  add(origin, internal, header) {
    const rule = this.#rules.get(origin.key) ?? { internal, headers: [] };
    if (header) rule.headers.push(header);
    this.#rules.set(origin.key, rule);
  }

  addBelow(host) {
    this.#below.push(host);
  }

  /** How to reach this origin; undefined when it must not be. */
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
   * `describe` asks the plugin; `internal` holds what the operator allows wherever it is, `subdomains` the hosts of which every subdomain may be
   * reached by those whose settings say so.
   */
  constructor(describe, { internal, subdomains, keysInside }) {
    this.#describe = describe;
    this.#internal = new Map(internal.map((origin) => [origin.key, origin]));
    this.#subdomains = subdomains;
    this.#keysInside = keysInside;
  }

  /** What belongs to these settings: `settings` for the plugin, `secrets` that were left out, `access`. */
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
      // The call itself says what is wrong with the settings.
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
    // A desk without a key is a matter of the plugin, as long as the account has one.
    const [first] = missing;
    if (first && used.size === 0) throw refused(first, `the setting \`${first}\` is missing`);
    return { settings, secrets, access };
  }

  /** Settings without their secrets, and those. */
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

  /** An origin of the internet, or one that the operator allows. */
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

/** `<header>: <before>{<setting>}<after>`, as `describe` has it. */
function parse(credential) {
  const [, header, before, setting, after] = /^([\w-]+):\s*([^{}]*)\{([^{}]+)\}([^{}]*)$/.exec(credential ?? '') ?? [];
  return header && { header, before, setting, after };
}

/** The header's value. What follows `Basic` is encoded, as RFC 7617 has it; the template holds it in clear. */
function fill({ before, after }, secret) {
  const [, scheme, user] = /^(basic) (.*)$/i.exec(before) ?? [];
  return scheme ? `${scheme} ${btoa(`${user}${secret}${after}`)}` : `${before}${secret}${after}`;
}

function refused(setting, message) {
  return new HandoffError({ kind: 'invalid-settings', field: `settings.${setting}`, message });
}
